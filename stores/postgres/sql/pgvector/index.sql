CREATE INDEX IF NOT EXISTS {name} ON {schema}.store_vectors
USING {kind} ((vector::{vector}.{type}({dims})) {vector}.{type}_{distance}_ops) WITH ({options})
WHERE cardinality(vector) = {dims}

VACUUM (ANALYZE) {schema}.threads, {schema}.checkpoints, {schema}.results, {schema}.segments

"""Trees that are talked through in every way there is, and by several processes."""

from tests.property.trees import Ask, Body, Both, Call, Enter, Flow, Graph, Inner, Step, Tree, Work, named

__all__ = ["SPECIMENS"]

ASKS = Body((Ask(),))
REMEMBERS = Body((Step(), Ask(), Step()))
CALLS = Body((Call(Body((Step(), Ask()))), Ask(guarded=True)))


def alone(*bodies: Body) -> Graph:
    """Nodes side by side."""
    return Graph((tuple(Work(body) for body in bodies),))


LASTS = Body((Enter(Graph(((Work(ASKS),),), lasts=True)),))

SPECIMENS: dict[str, Tree] = {
    name: named(tree)
    for name, tree in {
        "three side by side": alone(ASKS, Body((Ask(),), threaded=True), REMEMBERS),
        "two that ask twice": alone(Body((Ask(), Step(), Ask())), Body((Ask(), Ask()), threaded=True)),
        "fan-out": Graph(((Work(REMEMBERS, width=3),), (Work(ASKS),))),
        "loop": Graph(((Work(ASKS), Work(REMEMBERS)),), rounds=2),
        "graphs in graphs": Graph(((Inner(Graph(((Inner(alone(ASKS, ASKS)), Work(Body((Step(),)))),))), Work(ASKS)),)),
        "a graph that is called": alone(Body((Step(), Enter(alone(ASKS, REMEMBERS)), Ask())), ASKS),
        "tasks at once": Flow(Body((Both((Call(REMEMBERS), Call(CALLS))), Ask()))),
        "a graph that lasts": Graph(
            ((Work(Body((Enter(Graph(((Work(REMEMBERS),),), lasts=True)), Ask()))),), (Work(ASKS), Work(ASKS)))
        ),
        "a graph that lasts, done early": Graph(((Work(LASTS), Work(Body((Ask(), Ask())))),), rounds=2),
        "a call of a graph that lasts": Graph(((Work(Body((Call(LASTS), Ask()))), Work(ASKS)),), rounds=2),
    }.items()
}  # fmt: skip

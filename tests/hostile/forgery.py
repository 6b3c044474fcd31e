"""Records as an attacker would have them: one thing changed, or a few, in what a checkpointer gives out."""

from random import Random

from msgspec.structs import replace

from graphrt.checkpoint import ChannelData, Checkpoint, Stored, TaskResult
from tests.hostile.mutation import NAMES, mutated


def changed_record(random: Random, stored: Stored, others: list[Stored], pool: list[bytes]) -> Stored:
    """The same checkpoint with one thing in it, or a few, as an attacker would have it."""
    for _ in range(random.choice((1, 1, 2))):
        other = random.choice(others)
        match random.randrange(8):
            case 0 | 1:
                stored = _with_channel(random, stored, other, pool)
            case 2:
                stored = _with_parts(random, stored, other, pool)
            case 3 | 4:
                stored = _with_results(random, stored, other, pool)
            case 5:
                stored = replace(stored, checkpoint=other.checkpoint)
            case 6:
                stored = replace(stored, channels=other.channels, appends=other.appends)
            case _:
                stored = replace(stored, checkpoint=_changed_checkpoint(random, stored.checkpoint))
    return stored


def _name(random: Random) -> str:
    return random.choice(
        (*NAMES, "first", "join", "worker", "__start__", "log", "branch:to:join", "__pregel_tasks")
    )


def _with_channel(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    channels = dict(stored.channels)
    name = random.choice([*channels, _name(random)])
    data = random.choice((channels.get(name, b""), random.choice(pool), other.channels.get(name, b"")))
    channels[name] = mutated(random, data, pool)
    if random.random() < 0.2:
        del channels[random.choice([*channels])]
    return replace(stored, channels=channels)


def _with_parts(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    appends = {**other.appends, **stored.appends}
    name = random.choice([*appends, "log", _name(random)])
    parts = [*appends.get(name, ()), random.choice(pool)]
    match random.randrange(3):
        case 0:
            random.shuffle(parts)
        case 1:
            parts[random.randrange(len(parts))] = mutated(random, random.choice(parts), pool)
        case _:
            parts.pop(random.randrange(len(parts)))
    return replace(stored, appends={**stored.appends, name: tuple(parts)})


def _with_results(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    results = [*stored.results, *random.choice((other.results, ()))]
    if not results:
        results = [TaskResult(random.choice(("~__pregel_pull, first", "", "0")), "first")]
    at = random.randrange(len(results))
    one = results[at]
    writes = [*one.writes, ChannelData(_name(random), random.choice((None, b"", random.choice(pool))))]
    spot = random.randrange(len(writes))
    match random.randrange(7):
        case 0:
            one = replace(one, path=random.choice([_name(random), *(other.path for other in results)]))
        case 1:
            one = replace(one, node=_name(random))
        case 2:
            one = replace(one, child=random.choice((None, "", stored.head, stored.checkpoint.id, "x")))
        case 3:
            one = replace(one, error=random.choice((None, "", "boom")))
        case 4:
            writes[spot] = replace(writes[spot], data=mutated(random, writes[spot].data or b"", pool))
            one = replace(one, writes=tuple(writes))
        case 5:
            writes[spot] = replace(writes[spot], channel=_name(random))
            one = replace(one, writes=tuple(writes))
        case _:
            one = replace(one, writes=one.writes[:-1])
    results[at] = one
    return replace(stored, results=tuple(sorted(results, key=lambda result: result.path)))


def _changed_checkpoint(random: Random, record: Checkpoint) -> Checkpoint:
    number = random.choice((-1, 0, 1, 2**63, -(2**70)))
    match random.randrange(7):
        case 0:
            return replace(record, next=(*record.next, _name(random)))
        case 1:
            return replace(record, next=random.choice(((), ("join",), ("first", "first"))))
        case 2:
            return replace(record, ran=(_name(random),))
        case 3:
            return replace(record, step=number)
        case 4:
            return replace(record, version=number)
        case 5:
            return replace(record, id=random.choice(("", "x", record.parent_id or "y")))
        case _:
            return replace(
                record, metadata={**record.metadata, random.choice(("run_id", "source", "__sealed")): 1}
            )

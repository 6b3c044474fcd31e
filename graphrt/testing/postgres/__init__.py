"""A real Postgres server for tests, on any machine, gone when the tests are."""

from graphrt.testing.postgres.server import PostgresServer

__all__ = ["PostgresServer"]

"""`python -m m365_sandbox`: serve the sandbox."""

import argparse

from m365_sandbox.server import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="m365_sandbox", description="A stand-in for Microsoft 365.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--seed", type=int, default=1, help="who lives in the sandbox and what they write")
    parser.add_argument(
        "--store", help="SQLite file that survives restarts and kills; without it all is in memory"
    )
    parser.add_argument("--clock-file", help="clock shared with other processes")
    parser.add_argument("--prospects", type=int, default=20)
    parser.add_argument("--unrelated", type=int, default=200, help="messages that belong to no outreach")
    given = parser.parse_args()
    print(f"Sandbox on http://{given.host}:{given.port}/_sandbox/", flush=True)
    run(
        given.host, given.port, seed=given.seed, store_path=given.store, clock_file=given.clock_file,
        prospects=given.prospects, unrelated=given.unrelated,
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""`python -m m365_sandbox`: serve the sandbox."""

import argparse
import sys

from m365_sandbox.server import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="m365_sandbox", description="A stand-in for Microsoft 365.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--seed", type=int, default=1, help="who lives in the sandbox and what they write")
    parser.add_argument("--world", help="YAML file that says who lives in the sandbox, in place of the seed")
    parser.add_argument(
        "--store", help="SQLite file that survives restarts and kills; without it all is in memory"
    )
    parser.add_argument("--clock-file", help="clock shared with other processes")
    parser.add_argument("--prospects", type=int, default=20)
    parser.add_argument("--unrelated", type=int, default=200, help="messages that belong to no outreach")
    parser.add_argument(
        "--contract", help="check what is said to Graph and by it; what does not fit is added to this file"
    )
    parser.add_argument("--tls", action="store_true", help="https, with a certificate made for it")
    parser.add_argument("--mailboxes", type=int, default=0, help="so many more mailboxes, for measuring")
    parser.add_argument("--messages", type=int, default=0, help="messages in those, together")
    given = parser.parse_args()
    if not 1 <= given.port <= 65535:
        parser.error("--port must be between 1 and 65535")
    scheme = "https" if given.tls else "http"
    print(f"Sandbox on {scheme}://{given.host}:{given.port}/_sandbox/", flush=True)
    try:
        run(
            given.host, given.port, seed=given.seed, store_path=given.store, clock_file=given.clock_file,
            prospects=given.prospects, unrelated=given.unrelated, world=given.world, tls=given.tls,
            mailboxes=given.mailboxes, messages=given.messages, contract_file=given.contract,
        )  # fmt: skip
    except (ValueError, OSError) as error:
        sys.exit(f"m365_sandbox: {error}")


if __name__ == "__main__":
    main()

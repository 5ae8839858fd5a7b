"""Chaining what has come, every few seconds; anchoring every hour."""

import logging

from gatepost.chains import actions, queries
from gatepost.jobs.ticks import tick

log = logging.getLogger(__name__)

# What a record can be changed in before it is in the chain. Real time, whatever the product's clock does.
CHAIN_EVERY_SECONDS = 10
ANCHOR_EVERY_SECONDS = 3600


@tick("chains.add", every_seconds=CHAIN_EVERY_SECONDS)
def chain_records() -> int:
    through = queries.settled()
    for workspace_id in queries.workspaces_to_chain(through) if through else ():
        actions.add_links(workspace_id, through=through)
    return 0


@tick("chains.anchor", every_seconds=ANCHOR_EVERY_SECONDS)
def anchor_chains() -> int:
    for workspace_id in queries.all_workspaces():
        actions.anchor(workspace_id)
    return 0

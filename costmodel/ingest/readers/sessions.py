"""Session logs of coding agents. They miss what was cut off, so they are lower bounds."""

from __future__ import annotations

from collections.abc import Iterator

from costmodel.ingest.lookup import dig
from costmodel.ingest.reader import Reader, fields
from costmodel.ingest.readers.bodies import ANTHROPIC_COUNTS

BOUND = "session logs leave out calls that were cut off and calls of other machines"


def _turns(doc: dict, memory: dict) -> Iterator[dict]:
    """What a turn of Codex used: its totals are cumulative and are logged again unchanged."""
    payload = doc["payload"] or {}
    if doc.get("type") == "session_meta":
        memory["session"] = payload.get("id")
    if doc.get("type") == "turn_context":
        memory["model"] = payload.get("model")
    total = dig(payload, ("info", "total_token_usage"))
    if payload.get("type") != "token_count" or not total:
        return
    before = memory.get("total") or dict.fromkeys(total, 0)
    used = {key: count - before.get(key, 0) for key, count in total.items()}
    if min(used.values()) < 0:  # the log begins again, after a compaction
        used = dig(payload, ("info", "last_token_usage")) or total
    memory["total"] = total
    if any(used.values()):
        model = dig(payload, ("info", "model")) or memory.get("model")
        yield {**doc, "used": used, "model": model, "session": memory.get("session", "one file")}


CLAUDE_CODE = """
id        message/id, requestId
time      timestamp
model     message/model
session   sessionId
"""
CODEX = """
time        timestamp
provider    =openai
model       model
session     session
input       used/input_tokens
cache_read  used/cached_input_tokens
output      used/output_tokens
reasoning   used/reasoning_output_tokens
"""
READERS = [
    Reader("a session of Claude Code", "sessionId, message/usage/input_tokens",
           fields(CLAUDE_CODE + ANTHROPIC_COUNTS.replace("usage/", "message/usage/")),
           cached="outside", bound=BOUND),
    Reader("a session of Codex", "timestamp, payload", fields(CODEX), bound=BOUND, rows=_turns),
]  # fmt: skip

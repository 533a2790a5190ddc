"""Runs the AWS emulator for as long as whoever started it lives.

Its parent holds the other end of stdin. When that closes, because the parent
asks for the end or has died, the emulator ends too, and the functions with it.

Two things of streams that it does otherwise than AWS are bridged here:

- AWS keeps a stream's records for a day; the emulator forgets them when it
  ends, and with them the messages that nobody had read. They are kept with the
  tables.
- AWS gives a batch again from the first record that its reader reports as
  failed; the emulator passes over it. The whole batch counts as failed here,
  and comes again.
"""

import copy
import json
import os
import signal
import sys
import threading

from ministack.app import main
from ministack.services import dynamodb, lambda_svc

STREAMS = ("_stream_records", "_stream_trimmed")
COUNTER = "_stream_seq_counter"


def keep_streams():
    state_of, restore = dynamodb.get_state, dynamodb.load_persisted_state

    def get_state():
        streams = {name: copy.deepcopy(getattr(dynamodb, name)) for name in STREAMS}
        return state_of() | streams | {COUNTER: getattr(dynamodb, COUNTER)}

    def load_persisted_state(data):
        restore(data)
        for name in STREAMS:
            getattr(dynamodb, name).update(data.get(name, {}))
        setattr(dynamodb, COUNTER, max(getattr(dynamodb, COUNTER), data.get(COUNTER, 0)))

    dynamodb.get_state, dynamodb.load_persisted_state = get_state, load_persisted_state


def fail_reported_batches():
    execute = lambda_svc._execute_function

    def _execute_function(function, event, *rest, **more):
        result = execute(function, event, *rest, **more)
        if is_of_stream(event) and not result.get("error") and reported(result.get("body")):
            result |= {"error": True}
        return result

    lambda_svc._execute_function = _execute_function


def is_of_stream(event):
    records = event.get("Records") if isinstance(event, dict) else None
    return bool(records) and records[0].get("eventSource") == "aws:dynamodb"


def reported(body):
    """What a reader says of records that it could not take."""
    if isinstance(body, (str, bytes)):
        try:
            body = json.loads(body)
        except ValueError:
            return []
    return body.get("batchItemFailures", []) if isinstance(body, dict) else []


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


keep_streams()
fail_reported_batches()
threading.Thread(target=end_with_parent, daemon=True).start()
main()

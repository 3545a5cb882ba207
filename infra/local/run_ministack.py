"""MiniStack as the local run needs it: it lives no longer than its parent, and tells what its functions do.

Written for the version in infra/requirements.txt: the two methods wrapped below are MiniStack's own business and may be
named otherwise in the next one.

Standard input stays open while the parent lives. When it closes, whatever the reason, the whole process group is
killed: MiniStack and every function it started. The parent makes this process the leader of a new group.

Standard output carries one JSON object per line, read by src/functions.rs. Everything that MiniStack itself prints goes
to standard error.
"""

import json
import os
import signal
import sys
import threading


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    tell = teller()

    from ministack.core.lambda_runtime import ProvidedWorker

    listen_in(ProvidedWorker, tell)

    from ministack.app import main as run

    sys.argv = sys.argv[:1]
    run()


def end_with_parent():
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def teller():
    """Takes standard output for itself: gives a function that writes one object to it."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    one_at_a_time = threading.Lock()

    def tell(**what):
        with one_at_a_time:
            output.write(json.dumps(what) + "\n")
            output.flush()

    return tell


def listen_in(worker_class, tell):
    pump, invoke = worker_class._pump_output, worker_class.invoke

    def pump_and_tell(self, stream, log_queue):
        process = {"function": self.func_name, "pid": self._proc.pid}
        tell(what="started", **process)
        try:
            pump(self, Overheard(stream, lambda line: tell(what="line", line=line, **process)), log_queue)
        finally:
            tell(what="ended", **process)

    def invoke_and_tell(self, event, *rest, **named):
        for record in event.get("Records", []) if isinstance(event, dict) else []:
            receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
            tell(what="given", function=self.func_name, body=record.get("body", ""), receives=receives)
        return invoke(self, event, *rest, **named)

    worker_class._pump_output, worker_class.invoke = pump_and_tell, invoke_and_tell


class Overheard:
    """A stream whose lines are also given to `hear`."""

    def __init__(self, stream, hear):
        self.stream, self.hear = stream, hear

    def readline(self):
        line = self.stream.readline()
        if line:
            self.hear(line.decode("utf-8", errors="replace").rstrip("\r\n"))
        return line

    def close(self):
        self.stream.close()


if __name__ == "__main__":
    main()

"""MiniStack as the local run needs it: it lives no longer than its parent, and tells what its functions do.

Written for the version in infra/requirements.txt: what is wrapped below is MiniStack's own business and may be named
otherwise in the next one.

Standard input stays open while the parent lives. When it closes, whatever the reason, the whole process group is
killed: MiniStack and every function it started. The parent makes this process the leader of a new group. The functions'
unpacked code, half a gigabyte, goes with them.

Standard output carries one JSON object per line, read by src/functions.rs. Everything that MiniStack itself prints goes
to standard error.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    tell = teller()

    from ministack.core.lambda_runtime import ProvidedWorker

    listen_in(ProvidedWorker, tell)
    judge_as_aws_does()

    from ministack.app import main as run

    sys.argv = sys.argv[:1]
    run()


def end_with_parent():
    while os.read(0, 4096):
        pass
    code = os.path.join(tempfile.gettempdir(), f"ministack-provided-code-{os.environ['GATEWAY_PORT']}")
    # Not of the group, so that it outlives it.
    subprocess.Popen(["rm", "-rf", code], start_new_session=True)
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
    numbers = itertools.count(1)

    def number_of(worker):
        if not hasattr(worker, "number"):
            worker.number = next(numbers)
        return worker.number

    def pump_and_tell(self, stream, log_queue):
        running = self._proc
        process = {"function": self.func_name, "pid": running.pid}
        tell(what="started", worker=number_of(self), **process)
        try:
            pump(self, Overheard(stream, lambda line: tell(what="line", line=line, **process)), log_queue)
        finally:
            # Its output closed with it: there is nothing to wait for but the system's own bookkeeping.
            killed_by = -running.wait() if running.wait() < 0 else None
            tell(what="ended", signal=killed_by, **process)

    def invoke_and_tell(self, event, *rest, **named):
        records = event.get("Records", []) if isinstance(event, dict) else []
        place = {"function": self.func_name, "worker": number_of(self)}
        for record in records:
            attributes = record.get("attributes", {})
            tell(
                what="given",
                job=record.get("messageId", ""),
                group=attributes.get("MessageGroupId", ""),
                receipt=record.get("receiptHandle", ""),
                receives=int(attributes.get("ApproximateReceiveCount", 1)),
                body=record.get("body", ""),
                **place,
            )
        whole = False
        try:
            result = invoke(self, event, *rest, **named)
            whole = result.get("status") == "ok"
            return result
        finally:
            for record in records:
                tell(what="over", job=record.get("messageId", ""), whole=whole, **place)

    worker_class._pump_output, worker_class.invoke = pump_and_tell, invoke_and_tell


def judge_as_aws_does():
    """With AUTH=true MiniStack asks for two permissions that AWS does not know, for a signature where there is none, and
    does not know which items a query reads."""
    from ministack.core import iam_actions, iam_evaluator

    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def action(*request, **named):
        # SQS allows a batch by the action of a single message.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
        found = action_of(*request, **named)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    def resource(service, method, path, headers, body, query_params, region, account_id):
        # GetParametersByPath is judged on the path that is read, not on everything.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
        found = resource_of(service, method, path, headers, body, query_params, region, account_id)
        read = json.loads(body or b"{}").get("Path") if service == "ssm" and found == "*" else None
        return f"arn:aws:ssm:{region}:{account_id}:parameter{read.rstrip('/')}" if read else found

    signed = iam_evaluator._signature_attempted

    def attempted(authorization, query_params):
        # `signature` in lower case is a platform's own parameter (WeChat's): AWS spells its names in one way.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
        return signed(authorization, {name: value for name, value in (query_params or {}).items() if name != "signature"})

    context_of = iam_actions.dynamodb_service_context

    def context(body):
        # What a Query reads is judged by the partition that it names, which MiniStack does not tell.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        found, asked = context_of(body), json.loads(body or b"{}")
        partition = re.match(r"\s*pk\s*=\s*(:\w+)", asked.get("KeyConditionExpression", ""))
        if partition:
            found["dynamodb:LeadingKeys"] = list(asked["ExpressionAttributeValues"][partition[1]].values())
        return found

    iam_actions.dynamodb_service_context = context
    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, resource
    iam_evaluator._signature_attempted = attempted


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

"""OpenAI's own client against the assistant: python client.py <address of the channel web> <key> <address of the stand-in>"""

import json
import sys
import threading
import urllib.request

import openai

# What no rendering leaves as it is; the model waits at each mark.
PAUSED = 'This is **bold ⏸and** half https://example.com/a_(b) ⏸of\n* a list!\n* <b>{"a": 1}</b> ⏸ends\n'


def fetch(url, what=None):
    data = None if what is None else json.dumps(what).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"})) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def refused(kind, ask):
    try:
        ask()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


class Platform:
    def __init__(self, url):
        self.url = url

    def tell(self, path, what):
        fetch(f"{self.url}/{path}", what)

    def answers(self, *texts):
        self.tell("model/answers", {"answers": texts})

    def lead(self, text):
        """Lets the model go on each time that what it wrote by then was seen in the outbox."""
        before = fetch(f"{self.url}/calls?channel=web")["calls"]
        seen = before[-1]["n"] if before else 0
        said = ""
        for n, part in enumerate(text.split("⏸")[:-1], 1):
            said += part
            while True:
                calls = fetch(f"{self.url}/calls?channel=web&since={seen}&wait=60")["calls"]
                seen = calls[-1]["n"] if calls else seen
                if any(said.strip() in drafted(call) for call in calls):
                    break
            self.tell("model/go", {"pauses": n})


def drafted(call):
    return call["body"].get("Item", {}).get("text", {}).get("S", "")


def main(address, key, url):
    platform = Platform(url)
    client = openai.OpenAI(base_url=f"{address}main/v1", api_key=key, max_retries=0, timeout=120)
    assert [model.id for model in client.models.list()] == ["crabhook"]
    assert client.models.retrieve("crabhook").id == "crabhook"
    assert refused(openai.NotFoundError, lambda: client.models.retrieve("gpt-5")).code == "model_not_found"

    def ask(*messages, **more):
        return client.chat.completions.create(model="crabhook", messages=list(messages), **more)

    def hello(**more):
        return ask({"role": "user", "content": "hello"}, **more)

    whole = hello()
    assert whole.choices[0].message.content == "You said: hello", whole
    assert (whole.choices[0].finish_reason, whole.object, whole.model) == ("stop", "chat.completion", "crabhook")
    assert whole.usage.prompt_tokens > 0 and whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, whole.usage

    text = PAUSED.replace("⏸", "")
    platform.answers(text)
    assert hello().choices[0].message.content == text, "the model's words as they are"

    platform.answers(PAUSED)
    lead = threading.Thread(target=platform.lead, args=(PAUSED,), daemon=True)
    lead.start()
    pieces = list(hello(stream=True))
    lead.join()
    deltas = [piece.choices[0].delta for piece in pieces]
    assert "".join(delta.content or "" for delta in deltas) == text, deltas
    assert len([delta for delta in deltas if delta.content]) > 1, "it came in pieces"
    assert [delta.role for delta in deltas if delta.role] == ["assistant"], deltas
    assert pieces[-1].choices[0].finish_reason == "stop"
    assert not any(piece.usage for piece in pieces)

    platform.answers(text)
    with client.chat.completions.stream(
        model="crabhook", messages=[{"role": "user", "content": "hello"}], stream_options={"include_usage": True}
    ) as stream:
        final = stream.get_final_completion()
    said = final.choices[0].message
    assert (said.role, said.content) == ("assistant", text) and final.usage.total_tokens > 0, final

    history = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "I am Ana."}, {"role": "assistant", "content": "Hello."}]
    before = ask(*history, {"role": "user", "content": "Who am I?"}, user="u-7")
    assert "I am Ana." in before.choices[0].message.content, "what was said before goes along"
    again = ask({"role": "user", "content": "Who am I?"}, user="u-7")
    assert "Ana" not in again.choices[0].message.content, "every request is a conversation of its own"

    long = "word " * 20_000
    platform.answers(long)
    assert ask({"role": "user", "content": "at length"}).choices[0].message.content == long

    # No answer is an error, not an answer that says so.
    for more in ({}, {"stream": True}):
        platform.tell("fault", {"channel": "model", "status": 401})
        error = refused(openai.APIError, lambda: list(hello(**more)))
        assert "not set up" in error.message, error.message

    error = refused(openai.BadRequestError, lambda: ask({"role": "system", "content": "nobody asks"}))
    assert "role user" in error.message, error.message
    error = refused(openai.BadRequestError, lambda: ask({"role": "system", "content": "x" * 70_000}, *history, {"role": "user", "content": "?"}))
    assert error.code == "context_length_exceeded", error
    error = refused(openai.BadRequestError, lambda: hello(n=2))
    assert (error.code, error.param) == ("unsupported_parameter", "n"), error
    refused(openai.NotFoundError, lambda: client.responses.create(model="crabhook", input="hello"))
    refused(openai.NotFoundError, lambda: client.embeddings.create(model="crabhook", input="hello"))
    other = openai.OpenAI(base_url=f"{address}main/v1", api_key="sk-other", max_retries=0)
    error = refused(openai.AuthenticationError, other.models.list)
    assert error.code == "invalid_api_key", error
    refused(openai.AuthenticationError, lambda: other.chat.completions.create(model="m", messages=history))
    refused(openai.AuthenticationError, lambda: other.embeddings.create(model="m", input="hello"))


if __name__ == "__main__":
    main(*sys.argv[1:])

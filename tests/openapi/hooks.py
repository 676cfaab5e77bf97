"""Half of the generated requests name things that exist: the other half shows what a foreign
id meets. SEEDED holds the ids of one thing of each kind, by the kind's name in paths."""

import json
import os

import schemathesis

SEEDED = json.loads(os.environ["SEEDED"])

FIELDS = {
    "batchId": "batches",
    "templateId": "templates",
    "botId": "bots",
    "channelId": "channels",
}


def keeps(value):
    """One and the same answer for one and the same request, so that a seed replays."""
    return sum(repr(value).encode()) % 2 == 0


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and "name" in path_parameters and not keeps(path_parameters):
        return {**path_parameters, "name": "send-message"}
    if path_parameters and "id" in path_parameters and not keeps(path_parameters):
        kind = context.operation.path.split("/")[2]
        return {**path_parameters, "id": SEEDED.get(kind, path_parameters["id"])}
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict) or keeps(body):
        return body
    real = {field: SEEDED[kind] for field, kind in FIELDS.items() if field in body}
    return {**body, **real}

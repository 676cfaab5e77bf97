"""What the linters let pass in template.yaml: names, and figures that must fit the code."""

import pathlib
import re
import sys

from samcli.yamlhelper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
template = yaml_parse((ROOT / "template.yaml").read_text())
resources = template["Resources"]
globals_ = template["Globals"]["Function"]
functions = {
    resource["Metadata"]["BuildProperties"]["Binary"]: (name, resource)
    for name, resource in resources.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
problems = []


def check(is_right, problem):
    if not is_right:
        problems.append(problem)


def strings(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


crates = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")}
check(set(functions) == crates, f"functions are {set(functions)}, crates {crates}")
check(globals_["Runtime"] == "provided.al2023", "the runtime must be provided.al2023")
check(globals_["Handler"] == "bootstrap", "the handler must be bootstrap")
check(template["Parameters"]["Architecture"]["Default"] == "arm64", "arm64 is the default")

migrations = "".join(path.read_text() for path in (ROOT / "migrations").glob("V*.sql"))
queues = dict(
    re.findall(r"'([a-z-]+)',\s*'\{[^}]*\"expireInSeconds\": (\d+)", migrations)
)
for binary, (name, function) in functions.items():
    properties = function["Properties"]
    check(function["Metadata"]["BuildMethod"] == "rust-cargolambda", f"{name}: BuildMethod")
    check(
        properties["FunctionName"]["Fn::Sub"] == f"${{AWS::StackName}}-{binary}",
        f"{name}: its name must be the stack's and its crate's",
    )
    logs = resources[properties["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
    check(
        logs["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/${{AWS::StackName}}-{binary}",
        f"{name}: its log group",
    )
    check("RetentionInDays" in logs, f"{name}: logs would be kept for ever")
    if binary == "api":
        continue
    asynchronous = properties["EventInvokeConfig"]
    check(asynchronous["MaximumRetryAttempts"] == 0, f"{name}: Lambda must not retry")
    check(asynchronous["MaximumEventAgeInSeconds"] <= 60, f"{name}: events grow too old")
    if binary != "scheduler":
        check(binary in queues, f"{name}: there is no queue {binary}")
        check(
            properties["Timeout"] < int(queues.get(binary, 0)),
            f"{name}: its time-out must be below its queue's expiry",
        )

schedule = resources["SchedulerFunction"]["Properties"]["Events"]["EveryMinute"]["Properties"]
check(schedule["ScheduleExpression"] == "rate(1 minute)", "the schedule must be rate(1 minute)")
for name, resource in resources.items():
    if resource["Type"] == "AWS::Lambda::Url":
        kinds = set(strings(resource["Properties"]["AuthType"])) - {"HasIamUrls"}
        check(kinds <= {"NONE", "AWS_IAM"}, f"{name}: AuthType {kinds}")

allowed = resources["SchedulerFunction"]["Properties"]["Policies"][0]["Statement"][0]
handlers = {name for binary, (name, _) in functions.items() if binary in queues}
granted = {arn["Fn::GetAtt"][0] for arn in allowed["Resource"]}
check(granted == handlers, f"the scheduler may invoke {granted}, handlers are {handlers}")

documented = (ROOT / "cli/src/environment.txt").read_text()
variables = set(globals_["Environment"]["Variables"])
for _, function in functions.values():
    variables |= set(function["Properties"].get("Environment", {}).get("Variables", {}))
for variable in sorted(variables):
    check(variable in documented, f"telecast --help does not tell of {variable}")

for problem in problems:
    print(f"template.yaml: {problem}")
sys.exit(bool(problems))

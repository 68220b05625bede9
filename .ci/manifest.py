"""Checks the Indexed Job against the schema that Kubernetes publishes, and prints the command of its container."""

import sys

import kubernetes_validate
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    manifest = yaml.safe_load(file)
kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
job = manifest["spec"]
(container,) = job["template"]["spec"]["containers"]
shards = {entry["name"]: entry["value"] for entry in container["env"]}["SHARDS"]
assert job["completionMode"] == "Indexed"
assert int(shards) == job["completions"], "a pod for each shard"
print(container["args"][0])

"""A user of the back office, over the calls its web client makes: the same rights as on the screen."""

from datetime import UTC, datetime, timedelta

import requests

from .waiting import wait_until


class OdooError(Exception):
    """What the screen would show the user; `debug` is the server's traceback."""

    def __init__(self, error: dict):
        super().__init__(error["data"]["message"])
        self.name = error["data"]["name"]
        self.debug = error["data"]["debug"]


class OdooClient:
    """`client.call("emsp.settlement", "search_count", [...])` as the given user."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self._url = url
        self._session = requests.Session()
        self._post("/web/session/authenticate", {"db": database, "login": login, "password": password})

    def call(self, model: str, method: str, *args, **kwargs):
        """:raise OdooError: what the server refuses."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)

    def search_read(self, model: str, domain: list, fields: list[str], **kwargs) -> list[dict]:
        return self.call(model, "search_read", domain, fields, **kwargs)

    def ref(self, xmlid: str) -> int:
        """The id of a record by its external id; only an administrator may look there."""
        module, __, name = xmlid.partition(".")
        domain = [["module", "=", module], ["name", "=", name]]
        [row] = self.search_read("ir.model.data", domain, ["res_id"])
        return row["res_id"]

    def wait_for_jobs(self, seconds: float = 120) -> None:
        """Until no background job is left that is due within a minute; the user must be allowed to see
        the queue. Jobs planned for later (a notice that collects what comes meanwhile) may wait.

        :raise RuntimeError: when a job failed. :raise TimeoutError: when they take too long.
        """
        wait_until(self._are_jobs_done, "jobs that are all done", seconds)

    def _are_jobs_done(self) -> bool:
        failed = self.search_read("queue.job", [["state", "=", "failed"]], ["name", "exc_info"])
        if failed:
            raise RuntimeError(f"Job failed: {failed[0]['name']}\n{failed[0]['exc_info']}")
        soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
        due = ["|", ["eta", "=", False], ["eta", "<=", soon]]
        open_jobs = [["state", "not in", ["done", "failed", "cancelled"]], *due]
        return not self.call("queue.job", "search_count", open_jobs)

    def _post(self, path: str, params: dict):
        answer = self._session.post(
            self._url + path, json={"jsonrpc": "2.0", "method": "call", "params": params}, timeout=300
        ).json()
        if "error" in answer:
            raise OdooError(answer["error"])
        return answer.get("result")

"""A refusal in the form that the contract documents, with our message and the code of the status."""

from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.error_responses import ErrorResponses
from callconfig.contract.problem import Problem

TEXT = {"type": "string"}
INNER = {"type": "object", "properties": {"message": TEXT, "code": {"type": "integer"}}}
CODE = {"type": "string", "enum": ["INVALID_REQUEST", "CUSTOMER_NOT_FOUND"]}


def answer(content: dict[str, Any], **schemas: Any) -> Any:
    responses = {"404": {"description": "None.", "content": {"application/json": content}}}
    info = {"title": "T", "version": "1"}
    paths = {"/a": {"get": {"operationId": "readA", "responses": responses}}}
    contract = Contract({"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}})
    return ErrorResponses(contract, contract.operations["readA"]).reply(Problem("not-found", "No a."))[0]


@pytest.mark.parametrize(
    ("properties", "required", "body"),
    [
        ({"message": TEXT}, ["message"], {"message": "No a."}),
        ({"errorCode": CODE, "errorMessage": TEXT}, ["errorCode", "errorMessage"],
         {"errorCode": "CUSTOMER_NOT_FOUND", "errorMessage": "No a."}),
        ({"code": {"type": "integer"}, "message": TEXT}, [], {"code": 404, "message": "No a."}),
        ({"Message": TEXT, "traceId": TEXT}, [], {"Message": "No a."}),
        ({"error": INNER}, [], {"error": {"message": "No a.", "code": 404}}),
        ({"error": INNER}, ["error"], {"error": {"message": "No a.", "code": 404}}),
        ({"errors": {"type": "array", "items": INNER}}, ["errors"], {"errors": [{"message": "No a.", "code": 404}]}),
        ({"error": TEXT, "error_description": TEXT}, ["error"], {"error": "string", "error_description": "No a."}),
        ({"error": CODE}, ["error"], {"error": "CUSTOMER_NOT_FOUND"}),
        ({"reason": CODE, "note": TEXT, "title": TEXT}, ["reason"], {"reason": "CUSTOMER_NOT_FOUND", "title": "No a."}),
        ({"number": {"type": "number"}}, ["number"], {"number": 1}),
    ],
)  # fmt: skip
def test_a_made_error_has_our_message_where_clients_of_the_contract_read_it(
    properties: dict[str, Any], required: list[str], body: Any
) -> None:
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    assert answer({"schema": schema}) == body


def test_an_error_that_has_an_error_in_it_ends() -> None:
    schema = {"type": "object", "properties": {"cause": {"$ref": "#/components/schemas/Error"}}}
    assert answer({"schema": schema}, Error=schema)["title"] == "Not Found"


def test_a_documented_error_keeps_its_code_and_gets_our_message() -> None:
    schema = {"type": "object", "properties": {"code": CODE, "text": TEXT, "message": TEXT}}
    example = {"code": "INVALID_REQUEST", "message": "No.", "text": "Nothing", "fields": [{"message": "No."}]}
    assert answer({"schema": schema, "example": example}) == {**example, "message": "No a."}


def test_a_problem_stays_a_problem() -> None:
    properties = {"type": TEXT, "title": TEXT, "detail": TEXT}
    assert answer({"schema": {"type": "object", "properties": properties}})["detail"] == "No a."
    assert answer({"schema": {"type": "object"}})["title"] == "Not Found"

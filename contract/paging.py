"""The paging of lists: the usual names of its query parameters, and of the members that tell of further pages."""

from collections.abc import Container, Sequence

from .operation import Operation
from .schema import Json

LIMITS = (
    *("limit", "per_page", "perpage", "page_size", "pagesize", "max_results", "maxresults", "size"),
    *("top", "$top", "take", "page[size]", "page[limit]"),
)
OFFSETS = ("offset", "skip", "$skip", "page[offset]")
PAGES = ("page", "page_number", "pagenumber", "page[number]")
CURSORS = ("cursor", "page_token", "pagetoken", "after", "starting_after", "continuation_token", "page[cursor]")
SORTS = ("sort", "order_by", "sort_by", "orderby", "sortby")
TOTALS = ("total", "total_count", "totalcount", "total_items", "totalitems", "x-total-count")
COUNTS = ("count", "page_count", "size")
MORE = ("has_more", "hasmore", "has_next", "hasnext")
NEXT = ("next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "next", "cursor", "end_cursor")


class Paging:
    """The query parameters of a list for page and order.

    `members` are the names of the items' members; a parameter with such a name is a filter.
    """

    def __init__(self, operation: Operation, members: Container[str]) -> None:
        query = (each for each in operation.parameters if each.place == "query" and each.name not in members)
        left = {each.name.lower(): each for each in query}
        self.all = [
            next((left.pop(name) for name in names if name in left), None)
            for names in (LIMITS, OFFSETS, PAGES, CURSORS, SORTS)
        ]
        self.limit, self.offset, self.page, self.cursor, self.sort = self.all
        self.unknown = [each.name for each in left.values()]
        """The names of the other query parameters."""

    @property
    def has_next_page(self) -> bool:
        """Whether a request can ask for a next page."""
        return any((self.offset, self.page, self.cursor))


NOT_FOUND = object()


def first_value(body: Json, names: Sequence[str]) -> Json:
    """The value of the first of some names in a body, at any depth outside lists, or NOT_FOUND."""
    if not isinstance(body, dict):
        return NOT_FOUND
    own = {name.lower(): value for name, value in body.items() if not isinstance(value, dict | list)}
    found = [own[name] for name in names if name in own] or [first_value(each, names) for each in body.values()]
    return next((each for each in found if each is not NOT_FOUND), NOT_FOUND)

"""Server (b): the result of a Starlette tutorial. Dicts in memory, checks by hand, nothing stored.

It is written like a typical tutorial, and not slower. `plain` leaves out the timing middleware that tutorials add,
so it is harder to beat. `timed` has it.
"""

from datetime import UTC, datetime
from itertools import islice
from time import perf_counter
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

STATUSES = ("pending", "in_progress", "done", "cancelled")

tasks: dict[int, dict[str, Any]] = {}
products: dict[int, dict[str, Any]] = {}


async def home(request: Request) -> JSONResponse:
    """Return a greeting."""
    return JSONResponse({"message": "Hello from Starlette!", "version": "1.0"})


async def list_tasks(request: Request) -> JSONResponse:
    """Return the first `limit` tasks."""
    limit = int(request.query_params.get("limit", 100))
    page = list(islice(tasks.values(), limit))
    return JSONResponse({"tasks": page, "count": len(page)})


async def get_task(request: Request) -> JSONResponse:
    """Return one task."""
    task = tasks.get(request.path_params["id"])
    if task is None:
        return JSONResponse({"error": "Task not found"}, status_code=404)
    return JSONResponse(task)


async def create_task(request: Request) -> JSONResponse:
    """Store a task that has a title."""
    data = await request.json()
    title = data.get("title")
    if not isinstance(title, str) or not title.strip():
        return JSONResponse({"error": "title is required"}, status_code=422)
    if data.get("status", "pending") not in STATUSES:
        return JSONResponse({"error": "status is unknown"}, status_code=422)
    now = datetime.now(UTC).isoformat()
    task = {
        "id": len(tasks) + 1,
        "title": title.strip(),
        "description": data.get("description", ""),
        "status": data.get("status", "pending"),
        "priority": data.get("priority", "normal"),
        "created_at": now,
        "updated_at": now,
    }
    tasks[task["id"]] = task
    return JSONResponse(task, status_code=201)


async def list_products(request: Request) -> JSONResponse:
    """Return the first `limit` products, by id."""
    limit = int(request.query_params.get("limit", 100))
    page = dict(islice(products.items(), limit))
    return JSONResponse({"products": page, "count": len(page)})


async def get_product(request: Request) -> JSONResponse:
    """Return one product."""
    product = products.get(request.path_params["id"])
    if product is None:
        return JSONResponse({"error": "Product not found"}, status_code=404)
    return JSONResponse(product)


async def create_product(request: Request) -> JSONResponse:
    """Store a product that has a name and a price."""
    data = await request.json()
    if not data.get("name") or not isinstance(data.get("price"), int | float):
        return JSONResponse({"error": "name and price are required"}, status_code=422)
    product = {
        "id": len(products) + 1,
        "name": data["name"],
        "price": data["price"],
        "category": data.get("category", "general"),
    }
    products[product["id"]] = product
    return JSONResponse(product, status_code=201)


class Timing(BaseHTTPMiddleware):
    """Tells in `X-Process-Time` how long the response took."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Return the application's response with one more header."""
        start = perf_counter()
        response = await call_next(request)
        response.headers["X-Process-Time"] = f"{(perf_counter() - start) * 1000:.2f}ms"
        return response


ROUTES = [
    Route("/", home),
    Route("/tasks", list_tasks, methods=["GET"]),
    Route("/tasks", create_task, methods=["POST"]),
    Route("/tasks/{id:int}", get_task, methods=["GET"]),
    Route("/products", list_products, methods=["GET"]),
    Route("/products", create_product, methods=["POST"]),
    Route("/products/{id:int}", get_product, methods=["GET"]),
]


def plain() -> Starlette:
    """Make the application without middleware, which is called (b)."""
    return Starlette(routes=ROUTES)


def timed() -> Starlette:
    """Make the application with the tutorial's timing middleware."""
    return Starlette(routes=ROUTES, middleware=[Middleware(Timing)])

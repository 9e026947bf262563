import type { Platform, Step } from "./platform";

const install = (extra: string): Step => ({
  title: "Install the client",
  code: `pip install --upgrade 'sentry-sdk${extra}'`,
});

const init = (dsn: string, where: string): Step => ({
  title: where,
  language: "python",
  code: `import sentry_sdk

sentry_sdk.init(
    dsn="${dsn}",
    send_default_pii=True,
)`,
});

const broken = (title: string, code: string): Step => ({ title, code, language: "python" });

export const python: Platform[] = [
  {
    id: "python",
    name: "Python",
    family: "Python",
    steps: (dsn) => [
      install(""),
      init(dsn, "Initialise it first thing in your program"),
      broken("Raise an error to see it arrive", "1 / 0"),
    ],
  },
  {
    id: "python-django",
    name: "Django",
    family: "Python",
    steps: (dsn) => [
      install("[django]"),
      init(dsn, "Initialise it in settings.py"),
      broken(
        "Add a view that fails, then open /broken/",
        `# urls.py
from django.urls import path

def broken(request):
    return 1 / 0

urlpatterns = [
    path("broken/", broken),
]`,
      ),
    ],
  },
  {
    id: "python-flask",
    name: "Flask",
    family: "Python",
    steps: (dsn) => [
      install("[flask]"),
      init(dsn, "Initialise it before the application is made"),
      broken(
        "Add a route that fails, then open /broken",
        `from flask import Flask

app = Flask(__name__)

@app.route("/broken")
def broken():
    return 1 / 0`,
      ),
    ],
  },
  {
    id: "python-fastapi",
    name: "FastAPI",
    family: "Python",
    steps: (dsn) => [
      install("[fastapi]"),
      init(dsn, "Initialise it before the application is made"),
      broken(
        "Add a route that fails, then open /broken",
        `from fastapi import FastAPI

app = FastAPI()

@app.get("/broken")
async def broken():
    return 1 / 0`,
      ),
    ],
  },
];

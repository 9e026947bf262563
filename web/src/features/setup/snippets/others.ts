import type { Platform } from "./platform";

export const others: Platform[] = [
  {
    id: "go",
    name: "Go",
    family: "Go",
    steps: (dsn) => [
      { title: "Add the client", code: "go get github.com/getsentry/sentry-go" },
      {
        title: "Initialise it in main, and send an error",
        language: "go",
        code: `package main

import (
	"errors"
	"log"
	"time"

	"github.com/getsentry/sentry-go"
)

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn: "${dsn}",
	})
	if err != nil {
		log.Fatalf("sentry.Init: %s", err)
	}
	defer sentry.Flush(2 * time.Second)

	sentry.CaptureException(errors.New("a first error from Go"))
}`,
      },
    ],
  },
  {
    id: "java",
    name: "Java",
    family: "Java",
    steps: (dsn) => [
      { title: "Add the client to build.gradle", language: "java", code: `implementation "io.sentry:sentry:8.+"` },
      {
        title: "Initialise it, and send an error",
        language: "java",
        code: `import io.sentry.Sentry;

public class App {
  public static void main(String[] args) {
    Sentry.init(options -> options.setDsn("${dsn}"));

    try {
      throw new IllegalStateException("A first error from Java");
    } catch (Exception e) {
      Sentry.captureException(e);
    }
  }
}`,
      },
    ],
  },
  {
    id: "java-spring-boot",
    name: "Spring Boot",
    family: "Java",
    steps: (dsn) => [
      {
        title: "Add the starter to build.gradle (for Spring Boot 3)",
        language: "java",
        code: `implementation "io.sentry:sentry-spring-boot-starter-jakarta:8.+"`,
      },
      { title: "Set the DSN in application.properties", code: `sentry.dsn=${dsn}\nsentry.send-default-pii=true` },
      {
        title: "Add a route that fails, then open /broken",
        language: "java",
        code: `@RestController
class BrokenController {
  @GetMapping("/broken")
  String broken() {
    throw new IllegalStateException("A first error from Spring");
  }
}`,
      },
    ],
  },
  {
    id: "ruby",
    name: "Ruby",
    family: "Ruby",
    steps: (dsn) => [
      { title: "Add the client", code: "bundle add sentry-ruby" },
      {
        title: "Initialise it, and send an error",
        language: "ruby",
        code: `require "sentry-ruby"

Sentry.init do |config|
  config.dsn = "${dsn}"
end

begin
  1 / 0
rescue ZeroDivisionError => error
  Sentry.capture_exception(error)
end`,
      },
    ],
  },
  {
    id: "ruby-rails",
    name: "Rails",
    family: "Ruby",
    steps: (dsn) => [
      { title: "Add the client", code: "bundle add sentry-ruby sentry-rails" },
      {
        title: "Write config/initializers/sentry.rb",
        language: "ruby",
        code: `Sentry.init do |config|
  config.dsn = "${dsn}"
  config.breadcrumbs_logger = [:active_support_logger, :http_logger]
end`,
      },
      {
        title: "Send an error from the console",
        code: `bin/rails runner 'Sentry.capture_message("A first event from Rails")'`,
      },
    ],
  },
  {
    id: "php",
    name: "PHP",
    family: "PHP",
    steps: (dsn) => [
      { title: "Install the client", code: "composer require sentry/sentry" },
      {
        title: "Initialise it, and send an error",
        language: "php",
        code: `<?php
require __DIR__ . '/vendor/autoload.php';

\\Sentry\\init([
    'dsn' => '${dsn}',
]);

throw new RuntimeException('A first error from PHP');`,
      },
    ],
  },
  {
    id: "php-laravel",
    name: "Laravel",
    family: "PHP",
    steps: (dsn) => [
      { title: "Install the client", code: "composer require sentry/sentry-laravel" },
      {
        title: "Let it hear of exceptions, in bootstrap/app.php",
        language: "php",
        code: `use Sentry\\Laravel\\Integration;

->withExceptions(function (Exceptions $exceptions) {
    Integration::handles($exceptions);
})`,
      },
      { title: "Set the DSN", code: `php artisan sentry:publish --dsn=${dsn}` },
      { title: "Send a test event", code: "php artisan sentry:test" },
    ],
  },
  {
    id: "dotnet",
    name: ".NET",
    family: ".NET",
    steps: (dsn) => [
      { title: "Add the client", code: "dotnet add package Sentry" },
      {
        title: "Initialise it, and send an error",
        language: "csharp",
        code: `using var sentry = SentrySdk.Init(options =>
{
    options.Dsn = "${dsn}";
});

throw new InvalidOperationException("A first error from .NET");`,
      },
    ],
  },
  {
    id: "rust",
    name: "Rust",
    family: "Rust",
    steps: (dsn) => [
      { title: "Add the client", code: "cargo add sentry" },
      {
        title: "Initialise it in main, and panic",
        language: "rust",
        code: `fn main() {
    let _guard = sentry::init((
        "${dsn}",
        sentry::ClientOptions {
            release: sentry::release_name!(),
            ..Default::default()
        },
    ));

    panic!("a first error from Rust");
}`,
      },
    ],
  },
  {
    id: "elixir",
    name: "Elixir",
    family: "Elixir",
    steps: (dsn) => [
      { title: "Add the client to mix.exs", language: "elixir", code: `{:sentry, "~> 11.0"},\n{:finch, "~> 0.19"}` },
      {
        title: "Set the DSN in config/config.exs",
        language: "elixir",
        code: `config :sentry,
  dsn: "${dsn}",
  environment_name: Mix.env()`,
      },
      { title: "Send a test event", code: "mix sentry.send_test_event" },
    ],
  },
  {
    id: "other",
    name: "curl",
    family: "No client",
    steps: (dsn) => [{ title: "Send an event from a shell", code: curl(dsn) }],
  },
];

/** The oldest and simplest of the ways to send: one JSON body, the key in a header. */
function curl(dsn: string): string {
  const parts = /^(https?:\/\/)([^@:/]+)[^@]*@(.+)\/([^/]+)$/.exec(dsn);
  const [, scheme = "", key = "", host = "", project = ""] = parts ?? [];
  return `curl '${scheme}${host}/api/${project}/store/' \\
  -H 'Content-Type: application/json' \\
  -H 'X-Sentry-Auth: Sentry sentry_version=7, sentry_key=${key}' \\
  -d '{"platform": "other", "level": "error", "message": "A first event from curl"}'`;
}

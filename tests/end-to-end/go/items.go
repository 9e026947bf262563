// Sends what the Go SDK of Debian knows: an error, a message, a transaction.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/getsentry/sentry-go"
)

func charge(amount int) error {
	return fmt.Errorf("cannot charge %d EUR: %w", amount, errors.New("card expired"))
}

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn:              os.Getenv("SENTRY_DSN"),
		Release:          "items-go@1.0.0",
		Environment:      "production",
		TracesSampleRate: 1.0,
		AttachStacktrace: true,
	})
	if err != nil {
		panic(err)
	}
	sentry.ConfigureScope(func(scope *sentry.Scope) {
		scope.SetUser(sentry.User{ID: "7"})
		scope.SetTag("region", "eu-central")
	})
	fmt.Println(*sentry.CaptureException(charge(100)))
	fmt.Println(*sentry.CaptureMessage("go message"))
	span := sentry.StartSpan(context.Background(), "task", sentry.TransactionName("go.nightly"))
	span.StartChild("db").Finish()
	span.Finish()
	if !sentry.Flush(5 * time.Second) {
		panic("not everything was sent")
	}
}

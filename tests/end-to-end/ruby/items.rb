# Sends what the Ruby SDK of Debian knows: an error, a message, a transaction, sessions.
require "sentry-ruby"

Sentry.init do |config|
  config.dsn = ENV.fetch("SENTRY_DSN")
  config.release = "items-ruby@1.0.0"
  config.environment = "production"
  config.traces_sample_rate = 1.0
  config.auto_session_tracking = true
  config.background_worker_threads = 0
  config.logger = Logger.new($stderr)
end
Sentry.set_user(id: "7")
Sentry.set_tags(region: "eu-central")

def charge(amount)
  raise ArgumentError, "cannot charge #{amount} EUR"
end

Sentry.with_session_tracking do
  begin
    charge(100)
  rescue ArgumentError => error
    puts Sentry.capture_exception(error).event_id
  end
end
puts Sentry.capture_message("ruby message").event_id
transaction = Sentry.start_transaction(name: "ruby.nightly", op: "task")
transaction.with_child_span(op: "db", description: "SELECT * FROM users WHERE id = 42") { nil }
transaction.finish
Sentry.session_flusher.flush

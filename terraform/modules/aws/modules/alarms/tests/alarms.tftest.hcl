mock_provider "aws" {}

variables {
  name       = "firn"
  topic_arns = ["arn:aws:sns:eu-central-1:000000000000:on-call"]
  kafka      = { load_balancer = "net/firn-kafka/1", target_group = "targetgroup/firn-kafka/1" }
  api        = { load_balancer = "app/firn-api/1", target_group = "targetgroup/firn-api/1" }
  database   = "firn"
}

run "silence_is_an_alarm_too" {
  command = plan

  assert {
    condition     = alltrue([for name in ["broker-away", "control-away", "database-full"] : aws_cloudwatch_metric_alarm.this[name].treat_missing_data == "breaching"])
    error_message = "What is away says nothing."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : toset(alarm.alarm_actions) == toset(var.topic_arns) && toset(alarm.ok_actions) == toset(var.topic_arns)])
    error_message = "Somebody must be told, of the end as well."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["broker-away"].dimensions == tomap({ LoadBalancer = "net/firn-kafka/1", TargetGroup = "targetgroup/firn-kafka/1" })
    error_message = "It looks at something else."
  }
}

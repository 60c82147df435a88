output "names" {
  description = "The alarms."
  value       = [for name in sort(keys(aws_cloudwatch_metric_alarm.this)) : aws_cloudwatch_metric_alarm.this[name].alarm_name]
}

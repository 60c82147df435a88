# What somebody must be told of at once. Everything else is in /metrics of broker and control plane.

locals {
  gibibyte = 1024 * 1024 * 1024

  alarms = {
    broker-away = {
      description = "Nobody serves Kafka: no broker answers /readyz"
      namespace   = "AWS/NetworkELB"
      metric      = "HealthyHostCount"
      dimensions  = { LoadBalancer = var.kafka.load_balancer, TargetGroup = var.kafka.target_group }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      minutes     = 2
      missing     = "breaching"
    }
    control-away = {
      description = "Nobody serves console and API; streams go on"
      namespace   = "AWS/ApplicationELB"
      metric      = "HealthyHostCount"
      dimensions  = { LoadBalancer = var.api.load_balancer, TargetGroup = var.api.target_group }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      minutes     = 3
      missing     = "breaching"
    }
    api-fails = {
      description = "The API answers 5xx, more than once in ten seconds for five minutes"
      namespace   = "AWS/ApplicationELB"
      metric      = "HTTPCode_Target_5XX_Count"
      dimensions  = { LoadBalancer = var.api.load_balancer, TargetGroup = var.api.target_group }
      statistic   = "Sum"
      comparison  = "GreaterThanThreshold"
      threshold   = 6
      minutes     = 5
      missing     = "notBreaching"
    }
    database-full = {
      description = "The catalog's disk has less than 3 GiB left, and does not grow any more"
      namespace   = "AWS/RDS"
      metric      = "FreeStorageSpace"
      dimensions  = { DBInstanceIdentifier = var.database }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 3 * local.gibibyte
      minutes     = 15
      missing     = "breaching"
    }
    database-busy = {
      description = "The catalog's processors are busy: take a larger instance_class"
      namespace   = "AWS/RDS"
      metric      = "CPUUtilization"
      dimensions  = { DBInstanceIdentifier = var.database }
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 85
      minutes     = 15
      missing     = "breaching"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = var.topic_arns
  ok_actions          = var.topic_arns
}

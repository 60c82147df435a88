variable "name" {
  description = "What the alarms' names begin with."
  type        = string
}

variable "topic_arns" {
  description = "SNS topics that are told, of the beginning of an alarm and of its end."
  type        = list(string)
}

variable "kafka" {
  description = "The Kafka load balancer and its group, as CloudWatch names them."
  type        = object({ load_balancer = string, target_group = string })
}

variable "api" {
  description = "The API's load balancer and its group, as CloudWatch names them."
  type        = object({ load_balancer = string, target_group = string })
}

variable "database" {
  description = "The database's identifier."
  type        = string
}

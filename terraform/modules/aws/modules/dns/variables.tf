variable "zone_id" {
  description = "The hosted zone in Route 53 in which both names are."
  type        = string
}

variable "api_domain" {
  description = "The host name of console and API."
  type        = string
}

variable "kafka_domain" {
  description = "The domain below which each cluster has its name."
  type        = string
}

variable "api_load_balancer" {
  description = "Where the API's name leads."
  type        = object({ dns_name = string, zone_id = string })
}

variable "kafka_load_balancer" {
  description = "Where Kafka's names lead."
  type        = object({ dns_name = string, zone_id = string })
}

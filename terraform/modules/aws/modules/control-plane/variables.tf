variable "name" {
  description = "What the cell is called."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, for the machines."
  type        = list(string)
}

variable "load_balancer_subnet_ids" {
  description = "Public subnets of the load balancer."
  type        = list(string)
}

variable "load_balancer_cidrs" {
  description = "The addresses of those subnets: from there, and only from there, X-Forwarded-For is believed."
  type        = list(string)
}

variable "client_networks" {
  description = "From where people and programs may reach console and API."
  type        = set(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = alltrue([for network in var.client_networks : can(cidrnetmask(network))])
    error_message = "client_networks must be IPv4 networks, such as 203.0.113.0/24."
  }
}

variable "certificate_arn" {
  description = "The certificate of the API's host name, in ACM."
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

variable "kafka_port" {
  description = "The port that Kafka clients connect to."
  type        = number
  default     = 9092
}

variable "mail_from" {
  description = "The sender of mails."
  type        = string
}

variable "catalog_url" {
  description = "The catalog's URL, with %s where its password goes."
  type        = string
}

variable "secrets" {
  description = "ARNs of the secrets database_password, master_key and smtp_url."
  type        = object({ database_password = string, master_key = string, smtp_url = string })
}

variable "kms_key_arn" {
  description = "The key of secrets."
  type        = string
}

variable "binary" {
  description = "Where the program firn is: bucket, key, SHA-256."
  type        = object({ bucket = string, key = string, sha256 = string })
}

variable "image_parameter" {
  description = "The public SSM parameter that names the machine image."
  type        = string
}

variable "instance_type" {
  description = "The size of a machine."
  type        = string
  default     = "t3.small"
}

variable "instances" {
  description = "How many run. They keep nothing, so any number does; two survive a zone."
  type        = number
  default     = 2

  validation {
    condition     = var.instances >= 1 && var.instances <= 10
    error_message = "instances must be from 1 to 10."
  }
}

variable "settings" {
  description = "Other settings of firn, by their keys (`firn config` lists them)."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "session_manager" {
  description = "Whether operators may open a shell through AWS Systems Manager."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
  default     = true
}

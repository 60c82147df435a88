variable "name" {
  description = "What the cell is called."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, for the machine."
  type        = list(string)
}

variable "load_balancer_subnet_ids" {
  description = "Subnets of the load balancer: public ones, or private ones if it is internal."
  type        = list(string)
}

variable "internal" {
  description = "Whether the load balancer has private addresses only."
  type        = bool
  default     = false
}

variable "client_networks" {
  description = "From where Kafka clients may connect."
  type        = set(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = alltrue([for network in var.client_networks : can(cidrnetmask(network))])
    error_message = "client_networks must be IPv4 networks, such as 203.0.113.0/24."
  }
}

variable "control_security_groups" {
  description = "Control planes, which speak Kafka to the broker's internal listener, by a name for the rule."
  type        = map(string)
}

variable "kafka_domain" {
  description = "The domain below which each cluster has its name."
  type        = string
}

variable "kafka_port" {
  description = "The port that Kafka clients connect to."
  type        = number
  default     = 9092

  validation {
    condition     = var.kafka_port >= 1 && var.kafka_port <= 65535 && !contains([8080, 9094], var.kafka_port)
    error_message = "kafka_port must be a port, and neither 8080 nor 9094, which the broker uses itself."
  }
}

variable "bucket" {
  description = "The bucket of records."
  type        = string
}

variable "bucket_prefix" {
  description = "Where in it."
  type        = string
  default     = "cell"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9/_-]*[a-z0-9]$", var.bucket_prefix))
    error_message = "bucket_prefix must be lower-case letters, digits, /, _ and -, and must not end with /."
  }
}

variable "catalog_url" {
  description = "The catalog's URL, with %s where its password goes."
  type        = string
}

variable "catalog_backup_days" {
  description = "How long backups of the catalog are kept. Objects that nothing names any more are kept a day longer."
  type        = number
}

variable "secrets" {
  description = "ARNs of the secrets database_password, master_key and kafka_certificate."
  type        = object({ database_password = string, master_key = string, kafka_certificate = string })
}

variable "kms_key_arn" {
  description = "The key of records and secrets."
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
  description = "The size of the machine."
  type        = string
  default     = "c7i.large"
}

variable "cache_gib" {
  description = "How much of the disk holds recent records, for consumers that are a little behind."
  type        = number
  default     = 50

  validation {
    condition     = var.cache_gib >= 1
    error_message = "cache_gib must be 1 or more."
  }
}

variable "settings" {
  description = "Other settings of firn, by their keys (`firn config` lists them)."
  type        = map(string)
  default     = {}
}

variable "kafka_settings" {
  description = "Kafka broker settings that firn serves, such as num.partitions."
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

variable "name" {
  description = "What the cell is called: it begins the name of everything."
  type        = string
  default     = "firn"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens, beginning with a letter: load balancers have no room for more."
  }
}

variable "zones" {
  description = "The availability zones to use, two or three."
  type        = list(string)
}

variable "cidr" {
  description = "The addresses of the network, /16 to /20."
  type        = string
  default     = "10.20.0.0/16"
}

variable "nat_gateways" {
  description = "\"one\" NAT gateway for all zones, or one \"per_zone\"."
  type        = string
  default     = "one"
}

variable "interface_endpoints" {
  description = "AWS services that are reached without the NAT gateway."
  type        = set(string)
  default     = ["secretsmanager", "logs"]
}

variable "zone_id" {
  description = "The hosted zone in Route 53 in which api_domain and kafka_domain are."
  type        = string
}

variable "api_domain" {
  description = "The host name of console and API, such as firn.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.api_domain))
    error_message = "api_domain must be a host name in lower case, such as firn.example.com."
  }
}

variable "kafka_domain" {
  description = "The domain below which each cluster has its name, such as kafka.example.com: clients of the cluster orders connect to orders.kafka.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.kafka_domain))
    error_message = "kafka_domain must be a domain in lower case, such as kafka.example.com."
  }

  validation {
    condition     = !endswith(var.api_domain, ".${var.kafka_domain}") && var.api_domain != var.kafka_domain
    error_message = "api_domain must not lie in kafka_domain, whose names are all Kafka's."
  }
}

variable "kafka_port" {
  description = "The port that Kafka clients connect to."
  type        = number
  default     = 9092
}

variable "kafka_internal" {
  description = "Whether Kafka is reached at private addresses only."
  type        = bool
  default     = false
}

variable "kafka_client_networks" {
  description = "From where Kafka clients may connect. Each cluster can narrow it further, in firn."
  type        = set(string)
  default     = ["0.0.0.0/0"]
}

variable "api_client_networks" {
  description = "From where people and programs may reach console and API."
  type        = set(string)
  default     = ["0.0.0.0/0"]
}

variable "kafka_certificate_secret_arn" {
  description = "The secret with the certificate of kafka_domain and *.kafka_domain: {\"certificate\": \"PEM\", \"private_key\": \"PEM\"}. Put a renewed one into it, and it is in force within an hour."
  type        = string

  validation {
    condition     = startswith(var.kafka_certificate_secret_arn, "arn:")
    error_message = "kafka_certificate_secret_arn must be the ARN of a secret, never the certificate itself."
  }
}

variable "smtp_url_secret_arn" {
  description = "The secret with the URL of the mail server: smtps://USER:PASSWORD@HOST."
  type        = string

  validation {
    condition     = startswith(var.smtp_url_secret_arn, "arn:")
    error_message = "smtp_url_secret_arn must be the ARN of a secret, never the URL itself, which has a password in it."
  }
}

variable "mail_from" {
  description = "The sender of mails, such as Firn <firn@example.com>."
  type        = string
}

variable "binary" {
  description = "The program firn, as `make run` builds it, in a bucket of yours: bucket, key, and its SHA-256."
  type        = object({ bucket = string, key = string, sha256 = string })
}

variable "image_parameter" {
  description = "The public SSM parameter that names the machine image: Amazon Linux 2023, for x86_64 or arm64 as firn was built."
  type        = string
  default     = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

variable "bucket" {
  description = "The name of the bucket of records, which is made."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be 3 to 63 lower-case letters, digits and hyphens; a dot in it would break TLS to S3."
  }
}

variable "broker" {
  description = "The broker's machine: its size, how many GiB of recent records it keeps on its disk, settings of firn and Kafka settings."
  type = object({
    instance_type  = optional(string, "c7i.large")
    cache_gib      = optional(number, 50)
    settings       = optional(map(string), {})
    kafka_settings = optional(map(string), {})
  })
  default = {}
}

variable "control" {
  description = "The control plane's machines: their size, how many, settings of firn."
  type = object({
    instance_type = optional(string, "t3.small")
    instances     = optional(number, 2)
    settings      = optional(map(string), {})
  })
  default = {}
}

variable "database" {
  description = "The catalog's database: its size, version of PostgreSQL, disk, and how long backups are kept."
  type = object({
    instance_class        = optional(string, "db.t4g.medium")
    engine_version        = optional(string, "17")
    storage_gib           = optional(object({ initial = number, maximum = number }), { initial = 20, maximum = 200 })
    backup_retention_days = optional(number, 7)
    password_version      = optional(number, 1)
  })
  default = {}
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "session_manager" {
  description = "Whether operators may open a shell on machines through AWS Systems Manager. There is no SSH either way."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete database and load balancers. Bucket and master key are kept by Terraform in any case."
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when nobody serves, the API fails, or the database is full or busy. None: no alarms."
  type        = list(string)
  default     = []
}

variable "name" {
  description = "What machines, their role and their log are called."
  type        = string
}

variable "role" {
  description = "What runs on them: \"broker\" or \"control\"."
  type        = string

  validation {
    condition     = contains(["broker", "control"], var.role)
    error_message = "role must be \"broker\" or \"control\"."
  }
}

variable "settings" {
  description = "The settings of firn, by their keys in its TOML file (`firn config` lists them). No secrets: those are in secrets."
  type        = map(string)

  validation {
    condition     = length(setintersection(keys(var.settings), ["catalog", "smtp-url", "master-key", "tls-cert", "tls-key", "internal-advertise", "kafka"])) == 0
    error_message = "catalog, smtp-url, master-key, tls-cert, tls-key and internal-advertise are set on the machine; Kafka's own settings go to kafka_settings."
  }
}

variable "kafka_settings" {
  description = "Kafka broker settings that firn serves, such as num.partitions."
  type        = map(string)
  default     = {}
}

variable "catalog_url" {
  description = "The catalog's URL, with %s where its password goes."
  type        = string
}

variable "secrets" {
  description = "ARNs of secrets that machines read when they start: database_password, master_key, and smtp_url (control) or kafka_certificate (broker)."
  type = object({
    database_password = string
    master_key        = string
    smtp_url          = optional(string)
    kafka_certificate = optional(string)
  })
}

variable "binary" {
  description = "Where the program firn is: bucket, key, and the SHA-256 of it in hexadecimal digits."
  type        = object({ bucket = string, key = string, sha256 = string })

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.binary.sha256))
    error_message = "binary.sha256 must be 64 lower-case hexadecimal digits (sha256sum firn)."
  }
}

variable "image_parameter" {
  description = "The public SSM parameter that names the machine image: Amazon Linux 2023, for x86_64 or arm64 as firn was built."
  type        = string
  default     = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

variable "instance_type" {
  description = "The size of a machine."
  type        = string
}

variable "instances" {
  description = "How many there are."
  type        = number
}

variable "replace_first" {
  description = "Whether a new machine is up before an old one goes. Not for a broker: its number is one machine's at a time."
  type        = bool
}

variable "disk_gib" {
  description = "The disk of a machine. Nothing on it has to survive."
  type        = number
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "target_group_arns" {
  description = "The load balancers' groups that machines join."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The key of secrets and records."
  type        = string
}

variable "policy_statements" {
  description = "What else machines may do, as statements of an IAM policy."
  type        = any
  default     = []
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "session_manager" {
  description = "Whether operators may open a shell through AWS Systems Manager. There is no SSH either way."
  type        = bool
  default     = false
}

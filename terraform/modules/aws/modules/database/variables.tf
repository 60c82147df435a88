variable "name" {
  description = "What the database is called."
  type        = string
}

variable "vpc_id" {
  description = "The network it is in."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets in two zones at least."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The key that it is encrypted with, backups too."
  type        = string
}

variable "password" {
  description = "Its password. Ephemeral: in no plan and no state."
  type        = string
  ephemeral   = true
}

variable "password_version" {
  description = "Which password that is: another number sets it anew."
  type        = number
}

variable "client_security_groups" {
  description = "Who may connect, by a name for the rule."
  type        = map(string)
}

variable "instance_class" {
  description = "Its size. The catalog is small and has tens of writes a second, never one for each batch of records."
  type        = string
  default     = "db.t4g.medium"
}

variable "engine_version" {
  description = "The major version of PostgreSQL, 15 or later."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version must be 15 to 19, with or without a minor version, such as \"17\"."
  }
}

variable "storage_gib" {
  description = "Its disk at first, and the most that it grows to by itself."
  type        = object({ initial = number, maximum = number })
  default     = { initial = 20, maximum = 200 }

  validation {
    condition     = var.storage_gib.initial >= 20 && var.storage_gib.maximum >= var.storage_gib.initial
    error_message = "storage_gib.initial must be 20 or more, and storage_gib.maximum no less than it."
  }
}

variable "backup_retention_days" {
  description = "How long backups are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be from 1 to 35: a cell without a backup of its catalog cannot be restored."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete it."
  type        = bool
  default     = true
}

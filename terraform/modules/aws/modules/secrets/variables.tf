variable "name" {
  description = "What the secrets' names begin with."
  type        = string
}

variable "database_password_version" {
  description = "Add one to make a new database password, here and in the database. Machines read it when they start."
  type        = number
  default     = 1
}

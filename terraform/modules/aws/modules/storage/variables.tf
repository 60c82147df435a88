variable "bucket" {
  description = "The name of the bucket of records. Bucket names are the whole world's."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that records are encrypted with."
  type        = string
}

variable "s3_endpoint_id" {
  description = "If set, objects can be read and written through this endpoint only, whoever asks."
  type        = string
  default     = null
}

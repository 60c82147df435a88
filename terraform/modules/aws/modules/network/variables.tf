variable "name" {
  description = "What everything is called, and its tag Name begins with."
  type        = string
}

variable "cidr" {
  description = "The addresses of the network, a /16 to /20: a quarter for public subnets, a half for private ones, the rest for databases."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be an IPv4 network of /16 to /20, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "The availability zones to use, two or three. Two at least, because the database has its standby in another one."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == length(var.zones) && contains([2, 3], length(var.zones))
    error_message = "zones must name two or three different availability zones."
  }
}

variable "nat_gateways" {
  description = "How machines without a public address reach the internet (mail, identity providers): \"one\" NAT gateway for all zones, or one \"per_zone\"."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "per_zone"], var.nat_gateways)
    error_message = "nat_gateways must be \"one\" or \"per_zone\"."
  }
}

variable "interface_endpoints" {
  description = "AWS services that are reached without the NAT gateway. Each costs by the hour and zone."
  type        = set(string)
  default     = ["secretsmanager", "logs"]
}

variable "readable_buckets" {
  description = "ARNs of buckets that machines may read through the S3 endpoint, besides Amazon's own packages."
  type        = set(string)
}

variable "data_bucket_arn" {
  description = "ARN of the bucket of records, which machines may also write through the S3 endpoint."
  type        = string
}

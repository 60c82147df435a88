output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of load balancers that face the internet."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "public_subnet_cidrs" {
  description = "Their addresses, which the console's load balancer speaks from."
  value       = [for zone in var.zones : aws_subnet.public[zone].cidr_block]
}

output "private_subnet_ids" {
  description = "Subnets of machines."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "database_subnet_ids" {
  description = "Subnets of the database, with no way out."
  value       = [for zone in var.zones : aws_subnet.database[zone].id]
}

output "s3_endpoint_id" {
  description = "The endpoint through which S3 is reached."
  value       = aws_vpc_endpoint.s3.id
}

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name             = "firn"
  cidr             = "10.20.0.0/16"
  zones            = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  data_bucket_arn  = "arn:aws:s3:::records"
  readable_buckets = ["arn:aws:s3:::programs"]
}

run "subnets_do_not_overlap" {
  command = plan

  assert {
    condition = (
      output.public_subnet_cidrs == ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"] &&
      [for zone in var.zones : aws_subnet.private[zone].cidr_block] == ["10.20.64.0/19", "10.20.96.0/19", "10.20.128.0/19"] &&
      [for zone in var.zones : aws_subnet.database[zone].cidr_block] == ["10.20.192.0/20", "10.20.208.0/20", "10.20.224.0/20"]
    )
    error_message = "The subnets are others."
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.database)) : !subnet.map_public_ip_on_launch])
    error_message = "No machine may get a public address by itself."
  }
}

run "one_gateway_or_one_for_each_zone" {
  command = plan

  variables {
    nat_gateways = "per_zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "per_zone is one in each zone."
  }
}

run "one_gateway_serves_all_zones" {
  command = apply

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 1 && length(aws_route.nat) == 3
    error_message = "All zones go through the one."
  }

  assert {
    condition     = toset(aws_vpc_endpoint.s3.route_table_ids) == toset([for table in aws_route_table.private : table.id])
    error_message = "S3 must be reached past the NAT gateway from every zone."
  }

  assert {
    condition     = strcontains(aws_vpc_endpoint.s3.policy, "arn:aws:s3:::records/*") && strcontains(aws_vpc_endpoint.s3.policy, "al2023-repos-eu-central-1-")
    error_message = "Records and packages must pass the S3 endpoint."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    cidr         = "10.20.0.0/24"
    zones        = ["eu-central-1a"]
    nat_gateways = "none"
  }

  expect_failures = [var.cidr, var.zones, var.nat_gateways]
}

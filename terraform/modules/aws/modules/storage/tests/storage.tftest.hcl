mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::records" }
  }
}

variables {
  bucket      = "records"
  kms_key_arn = "arn:aws:kms:eu-central-1:000000000000:key/cell"
}

# The bucket must not be destroyed, also not by this test, which therefore only plans.
run "nothing_but_firn_deletes_records" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Disabled" && !aws_s3_bucket.this.force_destroy
    error_message = "Versions would keep what Firn deletes; force_destroy would delete what it keeps."
  }

  assert {
    condition = (
      length(aws_s3_bucket_lifecycle_configuration.this.rule) == 1 &&
      length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0 &&
      length(aws_s3_bucket_lifecycle_configuration.this.rule[0].transition) == 0
    )
    error_message = "An expiry loses acknowledged records, and a transition makes them slow or unreadable."
  }
}

run "it_is_private_and_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four ways to make it public must be closed."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Records must be encrypted with the cell's key."
  }
}

output "bucket" {
  description = "The bucket of records."
  value       = aws_s3_bucket.this.bucket
}

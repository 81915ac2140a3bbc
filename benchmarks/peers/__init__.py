"""What the service is compared with: the way it is usually written, and the least that could do the job."""

"""What is done inside the generated code at certain steps of each image that a converted network is shown."""

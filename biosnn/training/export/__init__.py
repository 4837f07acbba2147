"""What a trained network becomes: an ordinary Brian2 network, a file, a network of NIR."""

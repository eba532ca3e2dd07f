"""The parcel fabric: what a town's parcel file says, how sound it is, and how it changed."""

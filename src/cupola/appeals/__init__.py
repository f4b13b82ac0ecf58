"""A second look: work that is reviewed before it is paid, rejections, appeals against them, and who decides those."""

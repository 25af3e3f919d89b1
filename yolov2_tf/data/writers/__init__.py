"""Writers: from a data set to the files that other tools read, one form each."""

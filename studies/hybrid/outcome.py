values_of=arrays_of=left_out=tables_of=None

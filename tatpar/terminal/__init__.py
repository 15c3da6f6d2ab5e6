"""What commands share: options and endings, tables, and times as people write and read them."""

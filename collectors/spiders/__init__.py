"""Scrapy spiders, each run in a process of its own by collectors.crawl."""

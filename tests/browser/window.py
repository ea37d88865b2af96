"""Sizes of a browser's window, as a desk and as phones have them."""

DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (320, 640)


def set_size(browser, width, height):
    """Make the page `width` x `height` CSS pixels: a window of Chromium itself is never narrower than 500."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

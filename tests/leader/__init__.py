"""The leader's phone, played by a program: everything that decides runs in mobile-core, through its real bindings.

What is here is only what a phone's platform brings (`device`), signing in (`totp`) and pressing the buttons (`steps`).
"""

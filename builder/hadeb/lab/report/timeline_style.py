# SPDX-License-Identifier: Apache-2.0
"""The looks of a timeline: every rule is below its class, so that a page can hold them too."""

STYLE = """
.timeline { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.timeline .page { fill: #ffffff; stroke: #d5d9e0; }
.timeline .title { fill: #1b2430; font-size: 19px; font-weight: 600; }
.timeline .text { fill: #46505e; font-size: 13px; }
.timeline .lane { fill: #1b2430; font-size: 14px; font-weight: 600; }
.timeline .rule { stroke: #e3e6eb; stroke-width: 1; }
.timeline .on { stroke: #b4bcc8; stroke-width: 2; }
.timeline .off { stroke: #b4bcc8; stroke-width: 2; stroke-dasharray: 2 6; }
.timeline .fault { stroke: #b3202c; stroke-width: 2; stroke-dasharray: 5 4; }
.timeline .alarm { fill: #b3202c; font-size: 14px; font-weight: 600; }
.timeline .gap { fill: #c8323c; fill-opacity: 0.12; stroke: #c8323c; stroke-width: 1; }
.timeline .lull { fill: #c8323c; fill-opacity: 0.12; }
.timeline .both { fill: none; stroke: #1b2430; stroke-width: 2; stroke-dasharray: 3 2; }
.timeline .many { fill: #1b2430; font-size: 14px; font-weight: 600; }
.timeline .mark { fill: #1b2430; }
.timeline .lab { fill: #b3202c; }
.timeline .number { fill: #ffffff; font-size: 11px; font-weight: 700; text-anchor: middle; }
.timeline .said { fill: #ffffff; font-size: 12px; }
.timeline .n0 { fill: #2f6fd0; } .timeline .n1 { fill: #0b7d60; }
.timeline .n2 { fill: #8d4dba; } .timeline .n3 { fill: #9a5d0c; }
.timeline .nx { fill: #5b6b7f; }
@media screen and (prefers-color-scheme: dark) {
.timeline .page { fill: #161b22; stroke: #333c48; }
.timeline .title, .timeline .lane, .timeline .many { fill: #e8edf3; }
.timeline .text { fill: #a9b4c2; }
.timeline .rule { stroke: #2a323d; }
.timeline .on, .timeline .off { stroke: #566273; }
.timeline .fault, .timeline .gap { stroke: #ff6b6f; }
.timeline .gap, .timeline .lull { fill: #ff6b6f; fill-opacity: 0.16; }
.timeline .alarm { fill: #ff8286; }
.timeline .both { stroke: #e8edf3; }
.timeline .mark { fill: #e8edf3; } .timeline .lab { fill: #ff8286; }
.timeline .number, .timeline .said { fill: #161b22; }
.timeline .n0 { fill: #6ba3f5; } .timeline .n1 { fill: #3fc79f; }
.timeline .n2 { fill: #c394e6; } .timeline .n3 { fill: #e0a552; }
.timeline .nx { fill: #95a3b5; }
}
"""

/** What a detector of one's own reports: facts for people, data for machines, no stack trace. */
export function detectorEvent(issue) {
  return {
    platform: "other",
    message: issue.metadata.value,
    sdk: null,
    release: null,
    user: null,
    tags: [
      ["level", "warning"],
      ["server_name", "db-2"],
    ].map(([key, value]) => ({ key, value })),
    contexts: {},
    context: {},
    packages: {},
    entries: [],
    occurrence: {
      id: "7d3c1a52f0e94b6d8c2f4a9e1b0d6f35",
      projectId: 1,
      eventId: "e3d27f60b8c94a1fa05d9b74c6f1283e",
      fingerprint: ["6f2b90c4a1d74e3b8c5f0e9d7a2b1c34"],
      issueTitle: issue.metadata.title,
      subtitle: issue.metadata.value,
      resourceId: "volume/db-2/var",
      evidenceData: {
        usedBytes: 412_316_860_416,
        checkMs: 2_314,
        command: "df --output=pcent /var | tail -1",
        measuredAt: 1_778_750_000,
        runbook: "https://wiki.example.com/runbooks/disk",
        inodes: { used: 812_004, free: 11_204 },
      },
      evidenceDisplay: [
        { name: "Host", value: "db-2", important: false },
        { name: "Volume", value: "/var", important: true },
      ],
      type: 100_000,
      detectionTime: 1_778_750_000,
      level: "warning",
      culprit: "db-2",
      priority: 75,
      assignee: null,
    },
  };
}

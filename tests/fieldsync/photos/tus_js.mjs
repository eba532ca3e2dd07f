// Sends one file by tus-js-client, as the lines of standard input say, and tells in one line of JSON how it went.
import fs from "node:fs";
import * as tus from "tus-js-client";

const job = JSON.parse(fs.readFileSync(0, "utf8"));
const told = { requests: [], sent: 0 };

const options = {
  endpoint: job.endpoint,
  headers: { Authorization: `Bearer ${job.token}` },
  metadata: job.metadata,
  chunkSize: job.chunkSize ?? Number.POSITIVE_INFINITY,
  uploadDataDuringCreation: job.duringCreation ?? false,
  retryDelays: [0, 100, 500, 1000, 1000],
  urlStorage: job.urls ? new tus.FileUrlStorage(job.urls) : undefined,
  storeFingerprintForResuming: Boolean(job.urls),
  fingerprint: async () => job.metadata.photo_id,
  onBeforeRequest: async (request) => {
    const method = request.getMethod();
    told.requests.push(method);
    if (job.interfere && method === "PATCH" && !told.interfered) {
      told.interfered = true;
      const answer = await fetch(request.getURL(), {
        method: "PATCH",
        headers: {
          Authorization: `Bearer ${job.token}`,
          "Tus-Resumable": "1.0.0",
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": "0",
        },
        body: fs.readFileSync(job.file).subarray(0, job.interfere),
      });
      told.interfered = answer.status;
    }
  },
  onProgress: (sent) => {
    told.sent = sent;
    if (job.killAt !== undefined && sent >= job.killAt) process.kill(process.pid, "SIGKILL");
  },
  onError: (error) => {
    told.status = error.originalResponse?.getStatus();
    told.problem = error.originalResponse?.getBody();
    told.error = String(error.message);
    console.log(JSON.stringify(told));
  },
  onSuccess: () => {
    told.url = upload.url;
    console.log(JSON.stringify(told));
  },
};

const upload = new tus.Upload(fs.createReadStream(job.file), options);
if (job.urls) {
  const [previous] = await upload.findPreviousUploads();
  told.resumed = Boolean(previous);
  if (previous) upload.resumeFromPreviousUpload(previous);
}
upload.start();

<#
.SYNOPSIS
Sets up the probe of one office on Windows 10/11 or Server 2019 and newer, unattended.

.DESCRIPTION
Its own environment in "C:\Program Files\Tatpar", data in C:\ProgramData\Tatpar (readable by administrators and the probe only), and a scheduled
task that starts with the machine as LOCAL SERVICE, the account with the least rights. Running it again upgrades; enrolment and
reports that wait stay.

Limits on Windows: packets are stamped by the program, not by the kernel, so a busy machine's own delay looks like jitter (every report says so:
stamps "user"); no ping, no interface counters, no live calls, no rehearsals. Where figures matter, take a Raspberry Pi or Debian.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File install-office.ps1 agra.enrolment.toml
.EXAMPLE
powershell -ExecutionPolicy Bypass -File install-office.ps1 -Uninstall
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)] [string] $Enrolment = '',
    [string] $Wheel = '',
    [string] $Wheels = '',
    [string] $Python = '',
    [switch] $NoStart,
    [switch] $Uninstall,
    [switch] $Purge
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Task = 'Tatpar probe'
$Program = Join-Path $env:ProgramFiles 'Tatpar'
$Data = Join-Path $env:ProgramData 'Tatpar'
$Here = $PSScriptRoot

function Say([string] $Text) { [Console]::Error.WriteLine("install-office: $Text") }
function Stop-Wrong([string] $Text) { Say $Text; exit 2 }
function Stop-Failed([string] $Text) { Say $Text; exit 1 }

function Invoke-Checked([string] $File, [string[]] $Arguments) {
    & $File @Arguments
    if ($LASTEXITCODE -ne 0) { Stop-Failed "$File ended with status $LASTEXITCODE" }
}

function Test-Administrator {
    $Me = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
    return $Me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Find-Python {
    $Candidates = @($Python, 'py', 'python') | Where-Object { $_ }
    foreach ($Candidate in $Candidates) {
        if (-not (Get-Command $Candidate -ErrorAction SilentlyContinue)) { continue }
        & $Candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>$null
        if ($LASTEXITCODE -eq 0) { return $Candidate }
    }
    Stop-Failed 'Python 3.11 or newer is needed, installed for all users: https://www.python.org/downloads/windows/'
}

function Stop-Probe {
    $Found = Get-ScheduledTask -TaskName $Task -ErrorAction SilentlyContinue
    if ($null -ne $Found) { Stop-ScheduledTask -TaskName $Task }
    Get-CimInstance Win32_Process |
        Where-Object { $_.ExecutablePath -and $_.ExecutablePath.StartsWith("$Program\", 'OrdinalIgnoreCase') } |
        ForEach-Object { Stop-Process -Id $_.ProcessId -Force -ErrorAction SilentlyContinue }
}

if ($Purge -and -not $Uninstall) { Stop-Wrong '-Purge goes with -Uninstall' }
if (-not (Test-Administrator)) { Stop-Failed 'must run as administrator' }

if ($Uninstall) {
    Stop-Probe
    Unregister-ScheduledTask -TaskName $Task -Confirm:$false -ErrorAction SilentlyContinue
    if (Test-Path $Program) { Remove-Item -Recurse -Force $Program }
    if ($Purge -and (Test-Path $Data)) { Remove-Item -Recurse -Force $Data }
    Say 'gone; at the hub: tatpar revoke this office if it is given up'
    exit 0
}

$Redeemed = Test-Path (Join-Path $Data 'probe.toml')
if ($Enrolment) {
    if (-not (Test-Path $Enrolment -PathType Leaf)) { Stop-Wrong "there is no file $Enrolment; the hub makes it: tatpar enroll SITE --out FILE" }
    if (-not (Select-String -Path $Enrolment -Pattern '^token = "' -Quiet)) { Stop-Wrong "$Enrolment is no enrolment file: it has no token" }
} elseif (-not $Redeemed) {
    Stop-Wrong 'this office is not enrolled yet: name the file that the hub gave out'
}
if (-not $Wheel) {
    $Newest = Get-ChildItem -Path $Here -Filter 'tatpar-*.whl' | Sort-Object LastWriteTime | Select-Object -Last 1
    if ($null -eq $Newest) { Stop-Wrong 'no wheel of Tatpar found beside this script; name it with -Wheel FILE' }
    $Wheel = $Newest.FullName
}
$Lock = Join-Path $Here 'requirements-office.lock'
if (-not (Test-Path $Lock)) { Stop-Wrong 'requirements-office.lock is missing beside this script' }

$Interpreter = Find-Python
New-Item -ItemType Directory -Force -Path $Program, $Data | Out-Null
$Environment = Join-Path $Program 'venv'
$New = "$Environment.new"
$Old = "$Environment.old"
foreach ($Left in @($New, $Old)) { if (Test-Path $Left) { Remove-Item -Recurse -Force $Left } }
Say "making $Environment"
Invoke-Checked $Interpreter @('-m', 'venv', $New)
$Pip = @('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input')
if ($Wheels) { $Pip += @('--no-index', '--find-links', $Wheels) }
$NewPython = Join-Path $New 'Scripts\python.exe'
Invoke-Checked $NewPython ($Pip + @('--require-hashes', '-r', $Lock))
Invoke-Checked $NewPython ($Pip + @('--no-deps', $Wheel))

# The new one stands: only now the probe is stopped, and the two are swapped; what fails before leaves the old one at work.
# Of the new one only python.exe is used, which finds its folder by itself; its other programs name the place where it was made.
Stop-Probe
if (Test-Path $Environment) { Move-Item $Environment $Old }
Move-Item $New $Environment
if (Test-Path $Old) { Remove-Item -Recurse -Force $Old }
$Own = Join-Path $Environment 'Scripts\python.exe'

# the data: administrators, the system, and LOCAL SERVICE (S-1-5-19), nobody else
Invoke-Checked 'icacls.exe' @($Data, '/inheritance:r', '/grant:r', '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-18:(OI)(CI)F', '*S-1-5-19:(OI)(CI)M', '/Q')
$File = Join-Path $Data 'enrolment.toml'
if ($Enrolment) { Copy-Item -Force $Enrolment $File }

$Log = Join-Path $Data 'probe.log'
$Command = "/d /c move /y `"$Log`" `"$Log.old`" >nul 2>&1 & `"$Own`" -m tatpar probe --enrolment `"$File`" --data `"$Data`" >`"$Log`" 2>&1"
$Action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\cmd.exe" -Argument $Command -WorkingDirectory $Data
$Trigger = New-ScheduledTaskTrigger -AtStartup
$Account = New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount -RunLevel Limited
$Settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -StartWhenAvailable `
    -ExecutionTimeLimit ([TimeSpan]::Zero) -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -Priority 4
Register-ScheduledTask -Force -TaskName $Task -Action $Action -Trigger $Trigger -Principal $Account -Settings $Settings | Out-Null

if ($NoStart) { Say "in place; start it with: Start-ScheduledTask '$Task'"; exit 0 }
Start-ScheduledTask -TaskName $Task
$Until = (Get-Date).AddSeconds(60)
while (-not (Test-Path (Join-Path $Data 'probe.toml')) -and (Get-Date) -lt $Until) { Start-Sleep -Seconds 1 }
if (-not (Test-Path (Join-Path $Data 'probe.toml'))) {
    if (Test-Path $Log) { Get-Content -Tail 5 $Log | ForEach-Object { Say $_ } }
    Stop-Failed "the probe did not enrol; see $Log and: `"$Own`" -m tatpar doctor --data `"$Data`""
}
if (Test-Path $File) { Remove-Item -Force $File }
Say "the probe runs; see $Log and: `"$Own`" -m tatpar doctor --data `"$Data`""
